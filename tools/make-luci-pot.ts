/**
 * Writes openwrt/luci-app-shareagent/po/templates/shareagent.pot: every text of the LuCI pages that can be translated.
 * With --check it only says whether the file is up to date (exit code 1: it is not).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { URL } from 'node:url';
import { APP_DIRECTORY, acl, menu, scripts } from '../test/openwrt/luci/support/app-files.ts';
import { translationTemplate } from '../test/openwrt/luci/support/translation-template.ts';

const TEMPLATE = new URL('po/templates/shareagent.pot', APP_DIRECTORY);

const template = translationTemplate(scripts(), menu(), acl().description);
if (process.argv.includes('--check')) {
  const isFresh = readFileSync(TEMPLATE, 'utf8') === template;
  if (!isFresh) console.error('make-luci-pot: the template is old. Run: node tools/make-luci-pot.ts');
  process.exitCode = isFresh ? 0 : 1;
} else writeFileSync(TEMPLATE, template);
