/**
 * Makes the key that signs a feed for opkg: FILE, which no router may see, and FILE.pub for routers.
 *
 * Run: node tools/make-feed-key.ts FILE
 */
import { writeFileSync } from 'node:fs';
import { feedKeyName, feedKeyText, newFeedKey } from './package/usign.ts';

function main([path, extra]: readonly string[]): number {
  if (path === undefined || extra !== undefined) {
    console.error('usage: make-feed-key FILE');
    return 2;
  }
  const { key, secretText } = newFeedKey();
  // A key that signs a feed out there must never be overwritten.
  writeFileSync(path, secretText, { mode: 0o600, flag: 'wx' });
  writeFileSync(`${path}.pub`, feedKeyText(key));
  console.log(`${path}\n${path}.pub: on routers /etc/opkg/keys/${feedKeyName(key)}`);
  return 0;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
