/** QR codes as SVG elements: no canvas, no data: URL, nothing that a content security policy refuses. */
import { qrModules } from './qr.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Light modules around the code; readers want four. */
const QUIET = 4;

/** Shows the code of `text` in `holder`, named for screen readers; nothing if the text is too long for a code. */
export function showQr(holder: HTMLElement, text: string, label: string): void {
  if (holder.dataset['text'] === text) return;
  holder.dataset['text'] = text;
  holder.textContent = '';
  const image = qrImage(text);
  holder.hidden = image === undefined;
  if (image === undefined) return;
  image.setAttribute('role', 'img');
  image.setAttribute('aria-label', label);
  holder.append(image);
}

function qrImage(text: string): SVGElement | undefined {
  try {
    const rows = qrModules(text);
    const size = rows.length + 2 * QUIET;
    const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')));
    const image = document.createElementNS(SVG, 'svg');
    image.setAttribute('viewBox', `0 0 ${size} ${size}`);
    const drawn = document.createElementNS(SVG, 'path');
    drawn.setAttribute('d', path.join(''));
    image.append(drawn);
    return image;
  } catch {
    return undefined;
  }
}
