/**
 * What lives on the bus in our name and has to be made anew on every connection: publications, listeners, subscriptions.
 */
import type { UbusConnection } from './connection.ts';

export interface Attachment {
  /** Makes it on this connection; whatever it held on an earlier one is gone. */
  attach(connection: UbusConnection): Promise<void>;
  /** Takes it off the bus, if it is there. */
  detach(): Promise<void>;
}

/** What the client gives to its attachments. */
export type AttachmentHost = {
  /** Reports what went wrong where nobody waits for a result. */
  readonly onProblem: (error: Error) => void;
  /** Forgets a closed attachment. */
  readonly release: (attachment: Attachment) => void;
};

/** Runs a callback of the user: what it throws must not break the stream. */
export function guarded<T>(host: AttachmentHost, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    host.onProblem(error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}
