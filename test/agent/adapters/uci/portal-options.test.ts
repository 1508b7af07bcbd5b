import t from 'tap';
import { configErrorText, configFromUci } from '../../../../agent/adapters/uci/read-config.ts';

function portal(lines: string) {
  const reading = configFromUci(`config portal\n${lines}`);
  return reading.ok ? reading.config.portal : reading.errors.map(configErrorText);
}

t.test('a certificate comes with its key, or there is none', (t) => {
  t.notMatch(portal(''), { tls: {} });
  t.match(portal('\toption tls_cert /etc/ssl/a.crt\n\toption tls_key /etc/ssl/a.key\n'), {
    tls: { certPath: '/etc/ssl/a.crt', keyPath: '/etc/ssl/a.key' },
  });
  t.match(portal('\toption tls_cert /etc/ssl/a.crt\n'), [/tls_key: must be set with tls_cert/]);
  t.match(portal('\toption tls_key /etc/ssl/a.key\n'), [/tls_cert: must be set with tls_key/]);
  t.match(portal('\toption tls_key ../a.key\n'), [/tls_key: must be an absolute path/]);
  t.end();
});

t.test("the owner's words and colours", (t) => {
  const lines = [
    "\toption welcome 'Welcome! Ask us for a pass code.'",
    "\toption colour '#8A1C4A'",
    "\toption colour_dark '#ff9ec4'",
    '\toption folder /mnt/look',
    "\toption venue_url 'https://cafe.example/'",
  ];
  t.match(portal(`${lines.join('\n')}\n`), {
    welcome: 'Welcome! Ask us for a pass code.',
    colour: '#8a1c4a',
    colourDark: '#ff9ec4',
    folder: '/mnt/look',
    venueUrl: 'https://cafe.example/',
  });
  t.match(portal(`\toption welcome '${'x'.repeat(201)}'\n`), [/welcome: must be text of 1 to 200 characters/]);
  t.end();
});

t.test('a colour that nobody could read is refused, with what would do', (t) => {
  t.match(portal("\toption colour '#ffd166'\n"), [
    /colour: must be a colour such as #0b6b57.* dark enough for text on a light/,
  ]);
  t.match(portal("\toption colour_dark '#0b6b57'\n"), [
    /colour_dark: must be .* bright enough for text on a dark page/,
  ]);
  for (const wrong of ['red', '#fff', '#12345g', '8a1c4a'])
    t.match(portal(`\toption colour '${wrong}'\n`), [/colour: must be/]);
  t.match(portal("\toption colour '#6a6a6a'\n"), { colour: '#6a6a6a' });
  t.match(portal("\toption colour '#707070'\n"), [/colour: must be/]);
  t.end();
});

t.test('a faucet is for chains on which SSP is worth nothing', (t) => {
  const read = (chainId: string) => {
    const reading = configFromUci(`config portal\n\toption faucet 10\nconfig chain\n\toption chain_id ${chainId}\n`);
    return reading.ok ? reading.config.portal.faucetUnits : reading.errors.map(configErrorText).join();
  };
  t.equal(read('31337'), 100_000n);
  t.equal(read('1337'), 100_000n);
  for (const other of ['1', '10', '8453', '11155111'])
    t.match(read(other), new RegExp(`faucet: works on chain 31337 or 1337 only.* chain.chain_id is ${other}`));
  t.match(portal('\toption faucet 1001\n'), [/faucet: must be/]);
  t.end();
});
