/** A netlink request that the kernel refused, or an answer that cannot be used. */
import { getSystemErrorName } from 'node:util';

export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';
  /** As in errno(3): `ENOENT`, `EPERM`; `EINTR` for a dump that changed while it was read, `EBADMSG` for what does not parse. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(`${message}: ${code}`);
    this.code = code;
  }
}

/** @param errno as the kernel gives it, negative */
export function errorFromErrno(message: string, errno: number): NetlinkError {
  return new NetlinkError(message, errno < 0 ? getSystemErrorName(errno) : `errno ${errno}`);
}
