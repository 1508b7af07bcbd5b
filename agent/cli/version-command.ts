/** `shareagent version`. */
import { AGENT_VERSION } from '../version.ts';
import type { Command } from './command.ts';

export const versionCommand: Command = {
  name: 'version',
  operands: '',
  summary: 'Print the version.',
  details: [],
  options: {},
  run: () =>
    Promise.resolve({
      document: {
        version: AGENT_VERSION,
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      },
      text: `shareagent ${AGENT_VERSION} (Node ${process.versions.node}, ${process.platform}-${process.arch})`,
    }),
};
