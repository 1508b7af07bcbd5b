import t from 'tap';
import { TRANSLATIONS } from '../../../captive-portal/page/translations.ts';
import {
  dataText,
  depositText,
  isUnlimited,
  leftText,
  moneyText,
  priceText,
  speedText,
  spentText,
  type Tongue,
  timeText,
} from '../../../captive-portal/page/wording.ts';

const EN: Tongue = { strings: TRANSLATIONS.en, locale: 'en' };

/** No-break spaces as plain ones, to be readable here. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

t.test('data has three digits at most, in decimal units, rounded down', (t) => {
  const cases: readonly (readonly [bigint, string])[] = [
    [0n, '0 B'],
    [999n, '999 B'],
    [1_000n, '1 kB'],
    [12_345n, '12.3 kB'],
    [999_999n, '999 kB'],
    [1_000_000n, '1 MB'],
    [1_239_999n, '1.23 MB'],
    [10_050_000n, '10 MB'],
    [123_999_999n, '123 MB'],
    [5_000_000_000n, '5 GB'],
    [1_002_000_000_000n, '1 TB'],
    [123_456_000_000_000_000n, '123,456 TB'],
  ];
  for (const [bytes, text] of cases) t.equal(plain(dataText(bytes, EN)), text);
  t.equal(dataText(1_000n, EN), '1\u00a0kB', 'number and unit stay on one line');
  t.end();
});

t.test('speed is in bits', (t) => {
  t.equal(plain(speedText(0n, EN)), '0 kbit/s');
  t.equal(plain(speedText(12_500n, EN)), '100 kbit/s');
  t.equal(plain(speedText(1_250_000n, EN)), '10 Mbit/s');
  t.end();
});

t.test('time is in its two largest units', (t) => {
  t.equal(plain(timeText(-5, EN)), '0 s');
  t.equal(plain(timeText(59.9, EN)), '59 s');
  t.equal(plain(timeText(60, EN)), '1 min');
  t.equal(plain(timeText(125, EN)), '2 min 5 s');
  t.equal(plain(timeText(3_600, EN)), '1 h');
  t.equal(plain(timeText(7_265, EN)), '2 h 1 min');
  t.end();
});

t.test('money is exact, or in two decimals that never flatter', (t) => {
  t.equal(plain(moneyText(10_278n, EN)), '1.0278 SSP');
  t.equal(plain(spentText(10_278n, EN)), '1.03 SSP');
  t.equal(plain(leftText(39_722n, EN)), '3.97 SSP');
  t.equal(plain(spentText(278n, EN)), '0.0278 SSP');
  t.equal(plain(leftText(278n, EN)), '0.0278 SSP');
  t.equal(plain(spentText(20_000n, EN)), '2 SSP');
  t.end();
});

t.test('the price is said in what 1 SSP buys', (t) => {
  const said = (unitsPerMb: bigint, unitsPerMinute: bigint) => {
    const { main, extra } = priceText({ unitsPerMb, unitsPerMinute }, EN);
    return [plain(main), extra === undefined ? extra : plain(extra)];
  };
  t.strictSame(said(1_000n, 0n), ['1 SSP buys 10 MB', undefined]);
  t.strictSame(said(1_000n, 50n), ['1 SSP buys 10 MB', 'plus 0.005 SSP a minute']);
  t.strictSame(said(0n, 100n), ['1 SSP buys 1 h 40 min', undefined]);
  t.strictSame(said(0n, 0n), ['This WiFi is free', undefined]);
  t.end();
});

t.test("the kernel's largest quota is shown as no limit", (t) => {
  t.ok(isUnlimited((1n << 63n) - 1n));
  t.notOk(isUnlimited(1_000_000_000_000_000n));
  t.end();
});

t.test("numbers and units are those of the guest's language", (t) => {
  const of = (code: keyof typeof TRANSLATIONS, locale: string): Tongue => ({ strings: TRANSLATIONS[code], locale });
  t.equal(plain(dataText(1_234_567n, of('fr', 'fr-FR'))), '1,23 Mo');
  t.equal(plain(moneyText(12_345_678n, of('pt', 'pt-BR'))), '1.234,5678 SSP');
  t.equal(plain(moneyText(12_500n, of('ru', 'ru'))), '1,25 SSP');
  t.equal(plain(timeText(125, of('zh', 'zh-CN'))), '2 分钟 5 秒');
  t.equal(plain(dataText(1_230_000n, of('ar', 'ar-EG'))), '١٫٢٣ م.ب');
  t.equal(plain(moneyText(999_999_999_999_999n, EN)), '99,999,999,999.9999 SSP', 'exact beyond the whole supply');
  t.end();
});

t.test('a deposit is said with what opening costs, if it costs anything', (t) => {
  t.equal(plain(depositText(30_000n, 0n, EN)), '3 SSP is set aside while you surf. What you do not use comes back.');
  t.match(plain(depositText(30_000n, 500n, EN)), /^3 SSP is set aside .* Opening costs 0\.05 SSP, once\.$/);
  t.end();
});
