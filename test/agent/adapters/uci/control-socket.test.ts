import { join } from 'node:path';
import t from 'tap';
import { controlSocketIn } from '../../../../agent/adapters/uci/read-config.ts';
import '../../../support/own-testdir.ts';

t.test('the control socket is found even in a file that is otherwise wrong', (t) => {
  const line = "config agent\n\toption control_socket '/run/x.sock'\n";
  const dir = t.testdir({
    good: line,
    wrong: `${line}config foo\n`,
    broken: `${line}nonsense`,
    relative: "config agent\n\toption control_socket 'x'\n",
  });
  t.equal(controlSocketIn(join(dir, 'good')), '/run/x.sock');
  t.equal(controlSocketIn(join(dir, 'wrong')), '/run/x.sock');
  t.equal(controlSocketIn(join(dir, 'broken')), '/var/run/shareagent/control.sock');
  t.equal(controlSocketIn(join(dir, 'relative')), '/var/run/shareagent/control.sock');
  t.equal(controlSocketIn(join(dir, 'missing')), '/var/run/shareagent/control.sock');
  t.end();
});
