/** `shareagent reload`: the running agent reads its configuration again. */
import * as v from 'valibot';
import { type Command, EXIT } from './command.ts';
import { askAgentFor } from './control-client.ts';

const resultSchema = v.object({
  changed: v.array(v.string()),
  restartNeeded: v.array(v.string()),
  errors: v.array(v.string()),
});

export const reloadCommand: Command = {
  name: 'reload',
  operands: '',
  summary: 'Let the running agent read its configuration again.',
  details: [
    'Says what counts now, and what only a restart can change. A file with an error changes nothing: exit code 1.',
    'The init script does the same: service shareagent reload.',
  ],
  options: {},
  run: async ({ socketPath }) => {
    const { document, value } = await askAgentFor(resultSchema, { socketPath, method: 'POST', path: '/reload' });
    const { changed, restartNeeded, errors } = value;
    if (errors.length > 0) {
      return { document, text: ['Nothing was applied:', ...errors].join('\n'), exitCode: EXIT.failed };
    }
    const lines = [
      changed.length === 0 ? 'Nothing changed.' : `Counts now: ${changed.join(', ')}.`,
      ...(restartNeeded.length === 0
        ? []
        : [`Needs a restart (service shareagent restart): ${restartNeeded.join(', ')}.`]),
    ];
    return { document, text: lines.join('\n') };
  },
};
