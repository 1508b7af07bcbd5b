/** Colours of the guest's page: accepted only if text in them can be read on the page's own background. */
import type { OptionKind } from './option-kind.ts';

/** WCAG 2.2, 1.4.3: contrast of text. */
const LEAST_CONTRAST = 4.5;

/** "#rrggbb" that keeps a contrast of 4.5:1 against `background`, also "#rrggbb"; `shade` names that background to people. */
export function colour(background: string, shade: 'light' | 'dark'): OptionKind<string> {
  const wanted = shade === 'light' ? 'dark' : 'bright';
  return {
    expected: `a colour such as #0b6b57 (# and 6 hex digits), ${wanted} enough for text on a ${shade} page (contrast ${LEAST_CONTRAST}:1)`,
    unit: '',
    range: `#rrggbb, contrast of ${LEAST_CONTRAST}:1 to the ${shade} page`,
    parse: (text) => {
      const colour = text.toLowerCase();
      return /^#[0-9a-f]{6}$/.test(colour) && contrast(colour, background) >= LEAST_CONTRAST ? colour : undefined;
    },
  };
}

/** @see WCAG 2.2, "contrast ratio" */
function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @see WCAG 2.2, "relative luminance" */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
