/** Where a key rotation that both keys have signed is kept. By itself: asked at every start, when nothing else of it is needed. */
import { dirname, join } from 'node:path';

export function rotationPath(deviceKeyPath: string): string {
  return join(dirname(deviceKeyPath), 'rotation.json');
}
