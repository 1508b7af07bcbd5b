/** `shareagent version`. */
import { AGENT_BUILD, AGENT_VERSION } from '../version.ts';
import type { Command } from './command.ts';

export const versionCommand: Command = {
  name: 'version',
  operands: '',
  summary: 'Print the version.',
  details: ['A built agent also names the commit and the targets it was built for.'],
  options: {},
  run: () => {
    const built =
      AGENT_BUILD === undefined ? '' : `commit ${AGENT_BUILD.commit} for ${AGENT_BUILD.targets.join(', ')}; `;
    return Promise.resolve({
      document: {
        version: AGENT_VERSION,
        ...AGENT_BUILD,
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      },
      text: `shareagent ${AGENT_VERSION} (${built}Node ${process.versions.node}, ${process.platform}-${process.arch})`,
    });
  },
};
