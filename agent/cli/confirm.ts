/** Asks the person at the terminal before money moves. */
import { type CommandIo, usageError } from './command.ts';

/** False if the answer is anything but "yes". @throws CommandError without a terminal: a script must say --yes. */
export async function isConfirmed(io: CommandIo, isYes: boolean, question: string): Promise<boolean> {
  if (isYes) return true;
  if (io.ask === undefined) throw usageError('there is no terminal to ask at; say --yes if you are sure');
  const answer = await io.ask(`${question} Type "yes": `, { isHidden: false });
  return answer.trim().toLowerCase() === 'yes';
}
