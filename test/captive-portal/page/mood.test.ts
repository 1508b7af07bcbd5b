import t from 'tap';
import type { GuestView } from '../../../agent/ports.ts';
import { canAdd, canFinish, canOpen, explanationOf, type Mood, moodOf } from '../../../captive-portal/page/mood.ts';
import { ENGLISH } from '../../../captive-portal/page/strings.ts';
import { viewFromJson } from '../../../captive-portal/page/wire.ts';
import { viewJsonFromView } from '../../../captive-portal/view-json.ts';
import { view } from '../support/cafe.ts';

function mood(changes: Partial<GuestView>): Mood {
  return moodOf(view(changes));
}

t.test('a view has one mood', (t) => {
  t.equal(mood({}), 'offline');
  t.equal(mood({ phase: 'trial', isOnline: true }), 'trial');
  t.equal(mood({ phase: 'trial', isOnline: true, isLow: true }), 'trialLow');
  t.equal(mood({ phase: 'trial' }), 'trialUsed');
  t.equal(mood({ phase: 'active', isOnline: true }), 'online');
  t.equal(mood({ phase: 'active', isOnline: true, isLow: true }), 'low');
  t.equal(moodOf({ phase: 'active', isOnline: false, isLow: true, isPaused: true }), 'paused');
  t.equal(moodOf({ phase: 'active', isOnline: true, isLow: false, isPaused: false }), 'online');
  t.equal(mood({ phase: 'active', isLow: true }), 'grace', 'used up, whatever the phase says yet');
  for (const phase of ['pending', 'grace', 'closing', 'settled', 'failed'] as const) t.equal(mood({ phase }), phase);
  t.end();
});

t.test('every mood has a heading and an explanation', (t) => {
  for (const name of Object.keys(ENGLISH.heading) as Mood[]) t.ok(ENGLISH.explain[name], name);
  t.end();
});

t.test('what a guest may do follows from the mood', (t) => {
  const all = Object.keys(ENGLISH.heading) as Mood[];
  t.strictSame(all.filter(canOpen), ['offline', 'trial', 'trialLow', 'trialUsed', 'settled', 'failed']);
  t.strictSame(all.filter(canAdd), ['online', 'low', 'grace']);
  t.strictSame(all.filter(canFinish), ['online', 'trial', 'trialLow', 'low', 'grace', 'paused']);
  t.strictSame(
    all.filter((name) => canOpen(name) && canAdd(name)),
    [],
  );
  t.end();
});

t.test('who pays as they go is told to keep the page open', (t) => {
  const online = viewFromJson(viewJsonFromView(view({ phase: 'active', isOnline: true })));
  t.equal(explanationOf(online, 'stream', ENGLISH), ENGLISH.explain.onlineStream);
  t.equal(explanationOf(online, 'hold', ENGLISH), ENGLISH.explain.online);
  t.equal(explanationOf(online, undefined, ENGLISH), ENGLISH.explain.online);
  t.end();
});

t.test('nobody is told to add data once all that was set aside is in use', (t) => {
  const spent = { phase: 'grace', creditUnits: 5n, depositUnits: 5n } as const;
  t.equal(explanationOf(viewFromJson(viewJsonFromView(view(spent))), 'stream', ENGLISH), ENGLISH.explain.depositSpent);
  const notYet = viewFromJson(viewJsonFromView(view({ ...spent, depositUnits: 6n })));
  t.equal(explanationOf(notYet, 'hold', ENGLISH), ENGLISH.explain.grace);
  t.end();
});

t.test('a settled channel without a refund does not promise one', (t) => {
  const settled = viewFromJson(viewJsonFromView(view({ phase: 'settled' })));
  t.equal(explanationOf(settled, undefined, ENGLISH), ENGLISH.explain.settledNoRefund);
  t.equal(
    explanationOf({ ...settled, refund: { units: 1n, tx: '0x00' } }, undefined, ENGLISH),
    ENGLISH.explain.settled,
  );
  t.end();
});
