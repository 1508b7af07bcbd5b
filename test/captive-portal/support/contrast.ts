/** Runs in the browser (as text: tests are compiled without the DOM's types). */

/**
 * Names of visible texts whose colour against the nearest opaque background is below 4.5:1.
 * @see WCAG 2.2, 1.4.3 and "relative luminance"
 */
export const LOW_CONTRAST_TEXTS = `(() => {
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = (text) => {
    const [r, g, b] = parts(text).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (from) => {
    for (let at = from; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (parts(color)[3] !== 0) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim() !== '');
  return [...document.querySelectorAll('main *')]
    .filter((element) => element.offsetParent !== null && hasText(element))
    .flatMap((element) => {
      const pair = [getComputedStyle(element).color, backgroundOf(element)].map(luminance).sort((a, b) => b - a);
      const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
      return ratio >= 4.5 ? [] : [(element.id || element.className || element.tagName) + ': ' + ratio.toFixed(2)];
    });
})()`;
