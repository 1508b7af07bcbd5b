import { createCipheriv, pbkdf2Sync } from 'node:crypto';
import t from 'tap';
import { decryptKey, encryptKey, KeystoreError, MIN_PASSPHRASE } from '../../../agent/adapters/keystore.ts';
import { keccak256 } from '../../../protocol/keccak.ts';
import { addressFromSecretKey } from '../../../protocol/signature.ts';

/** The test vectors of the Web3 Secret Storage definition; password "testpassword". */
const SECRET = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d';
const PBKDF2 = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
};
const SCRYPT = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const open = (document: object, passphrase = 'testpassword') => decryptKey(JSON.stringify(document), passphrase);

t.test("the definition's own vectors open", (t) => {
  t.equal(hex(open(PBKDF2)), SECRET);
  t.equal(hex(open(SCRYPT)), SECRET);
  const { crypto, ...rest } = PBKDF2;
  t.equal(hex(open({ ...rest, Crypto: crypto })), SECRET, 'as old wallets write it');
  t.end();
});

t.test('what is written is read again, and only with its passphrase', (t) => {
  const key = new Uint8Array(32).fill(7);
  const text = encryptKey(key, 'correct horse é');
  t.strictSame(decryptKey(text, 'correct horse é'), key, 'however the accent is typed');
  t.throws(
    () => decryptKey(text, 'correct horse e'),
    new KeystoreError('the passphrase is wrong, or the file is damaged'),
  );
  t.match(JSON.parse(text), { version: 3, address: addressFromSecretKey(key).slice(2) });
  t.notMatch(text, hex(key));
  t.not(encryptKey(key, 'correct horse é'), text, 'never the same salt twice');
  t.end();
});

t.test('what is no keystore is refused with the reason, and costs little', (t) => {
  t.throws(() => encryptKey(new Uint8Array(32).fill(7), 'short'), {
    message: new RegExp(`${MIN_PASSPHRASE} characters`),
  });
  t.throws(() => decryptKey('{', 'testpassword'), { message: /must be JSON/ });
  t.throws(() => open({ ...PBKDF2, version: 1 }), { message: /version/ });
  t.throws(() => open({ ...PBKDF2, address: '00'.repeat(20) }), { message: /its key is of 0x/ });
  const damaged = { ...PBKDF2, crypto: { ...PBKDF2.crypto, ciphertext: `00${PBKDF2.crypto.ciphertext.slice(2)}` } };
  t.throws(() => open(damaged), { message: /damaged/ });
  const withParams = (kdfparams: object, from: typeof SCRYPT | typeof PBKDF2) => ({
    ...from,
    crypto: { ...from.crypto, kdfparams: { ...from.crypto.kdfparams, ...kdfparams } },
  });
  t.throws(() => open(withParams({ n: 2 ** 23, p: 1 }, SCRYPT)), { message: /cannot be run with n 8388608/ });
  t.throws(() => open(withParams({ n: 1000 }, SCRYPT)), { message: /cannot be run/ });
  t.throws(() => open(withParams({ c: 1e9 }, PBKDF2)), { message: /too many/ });
  t.end();
});

t.test('a wallet that takes the passphrase as it was typed is understood, and so is another way to type it', (t) => {
  // A ligature, which NFKC takes apart.
  const typed = '\ufb01ne weather';
  const key = Buffer.from(SECRET, 'hex');
  const [salt, iv] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2)];
  const derived = pbkdf2Sync(typed, salt, 2, 32, 'sha256');
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()]);
  const text = JSON.stringify({
    version: 3,
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'pbkdf2',
      kdfparams: { c: 2, dklen: 32, prf: 'hmac-sha256', salt: salt.toString('hex') },
      mac: Buffer.from(keccak256(Buffer.concat([derived.subarray(16), ciphertext]))).toString('hex'),
    },
  });
  t.equal(Buffer.from(decryptKey(text, typed)).toString('hex'), SECRET);
  t.throws(() => decryptKey(text, 'fine weather'), { message: /passphrase is wrong/ });
  t.end();
});

t.test('a file that asks for a day of scrypt is refused at once', (t) => {
  for (const change of [{ p: 4_194_304 }, { n: 4_194_304, r: 8 }]) {
    const kdfparams = { ...SCRYPT.crypto.kdfparams, ...change };
    const text = JSON.stringify({ ...SCRYPT, crypto: { ...SCRYPT.crypto, kdfparams } });
    t.throws(() => decryptKey(text, 'testpassword'), { message: /is too much work/ });
  }
  t.end();
});
