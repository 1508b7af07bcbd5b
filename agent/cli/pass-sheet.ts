/** Passes to cut out: one HTML page without script or anything from elsewhere; the browser prints it, or makes a PDF of it. */

import { qrSvg } from './qr-text.ts';
import { sspText } from './quantity.ts';
import type { PassAnswer } from './treasury-schema.ts';

export type SheetWords = { readonly title: string; readonly portal: string };

/** `portal`: the address that guests type if no page opens by itself. */
export function passSheet(passes: readonly PassAnswer[], { title, portal }: SheetWords): string {
  const cards = passes.map(
    ({ serial, code, units }) => `<li>
<div>${qrSvg(code)}</div>
<p class="name">${escaped(title)}</p>
<p class="worth">${escaped(sspText(units))}</p>
<p class="code">${escaped(code)}</p>
<p class="how">Join the WiFi, open ${escaped(portal)}, type or scan this code. What is left stays on it. No. ${serial}</p>
</li>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}: ${passes.length} passes</title>
<style>
@page { size: A4; margin: 10mm; }
body { margin: 0; font: 10pt/1.3 system-ui, sans-serif; color: #000; background: #fff; }
ul { display: grid; grid-template-columns: repeat(2, 1fr); gap: 0; margin: 0; padding: 0; list-style: none; }
li { display: grid; grid-template-columns: 30mm 1fr; column-gap: 4mm; padding: 5mm; border: 0.2mm dashed #888; break-inside: avoid; }
div { grid-row: 1 / 5; }
svg { width: 30mm; height: 30mm; }
p { margin: 0; }
.name { font-weight: 600; }
.worth { font-size: 14pt; font-weight: 700; }
.code { font: 600 11pt/1.5 ui-monospace, monospace; letter-spacing: 0.02em; }
.how { font-size: 8pt; }
</style>
<ul>
${cards.join('\n')}
</ul>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
