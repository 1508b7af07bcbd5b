/** Runs in the browser (as text: tests are compiled without the DOM's types). */

/**
 * What is cut or torn at letters of twice the size, with which the page is left: elements wider than their place, and names of packages
 * in columns of single letters. A field for typing scrolls by itself.
 * @see WCAG 2.2, 1.4.4
 */
export const CUT_AT_DOUBLE_TEXT = `(() => {
  document.documentElement.style.fontSize = '200%';
  const shown = [...document.querySelectorAll('body, body *')].filter((element) => element.getClientRects().length > 0);
  const cut = shown.filter(({ tagName, clientWidth, scrollWidth }) => clientWidth > 0 && scrollWidth > clientWidth && tagName !== 'INPUT');
  const torn = shown.filter((element) => element.matches('.option-main, .option-price, .kicker') &&
    element.getBoundingClientRect().height > 3 * parseFloat(getComputedStyle(element).fontSize));
  return [...cut, ...torn].map((element) => element.id || element.className || element.tagName);
})()`;
