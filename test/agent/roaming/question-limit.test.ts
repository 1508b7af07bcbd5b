import t from 'tap';
import { QUESTIONS_PER_WINDOW, QuestionLimit } from '../../../agent/roaming/question-limit.ts';
import { buildSisterDoor } from '../../../agent/roaming/sister-door.ts';

const ask = (limit: QuestionLimit, address: string, times: number, nowMs: number): number =>
  Array.from({ length: times }, () => limit.take(address, nowMs)).filter(Boolean).length;

t.test('an address asks so often, then waits; the others do not', (t) => {
  const limit = new QuestionLimit();
  t.equal(ask(limit, '10.0.0.2', 1_000, 5), QUESTIONS_PER_WINDOW);
  t.ok(limit.take('10.0.0.3', 6));
  t.notOk(limit.take('10.0.0.2', 8_004));
  t.ok(limit.take('10.0.0.2', 8_005));
  t.end();
});

t.test('an address of its own for every question gets no further than one', (t) => {
  const limit = new QuestionLimit();
  const allowed = Array.from({ length: 10_000 }, (_, i) => limit.take(`fd00::${i.toString(16)}`, 0)).filter(Boolean);
  t.equal(allowed.length, 256 + QUESTIONS_PER_WINDOW);
  t.end();
});

t.test('the door does not even read what comes too often', async (t) => {
  const no = { ok: false, message: 'read' } as const;
  let read = 0;
  const refuse = () => {
    read += 1;
    return Promise.resolve(no);
  };
  const door = buildSisterDoor({ lookUp: refuse, give: refuse, take: refuse });
  t.teardown(() => door.close());
  const asked = () => door.inject({ method: 'POST', url: '/v1/roaming/look-up', payload: {} });
  t.equal((await asked()).statusCode, 400);
  for (let i = 1; i < QUESTIONS_PER_WINDOW; i++) await asked();
  const { statusCode, headers } = await asked();
  t.equal(statusCode, 429);
  t.equal(headers['retry-after'], '8');
  t.equal(read, 0);
});
