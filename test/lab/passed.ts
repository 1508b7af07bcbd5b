/** What truly passed the router for a guest, both directions, seen from outside it. */
import type { Guest } from './guest.ts';
import type { Scene } from './scene.ts';
import { settled } from './wait.ts';
import { readBeyond } from './wire.ts';

const QUIET_MS = 500;
const MOST_MS = 8_000;

/** Layer-3 bytes that reached the guest, and those of the guest that reached the internet, once nothing moves any more. */
export async function passedBytes(scene: Scene, guest: Guest): Promise<{ readonly down: bigint; readonly up: bigint }> {
  return await settled('the wire', QUIET_MS, MOST_MS, async () => {
    const wire = await guest.wire();
    const beyond = await readBeyond(scene.world.internet, guest.host.index);
    return { down: wire.down4 + wire.down6, up: beyond.up4 + beyond.up6 };
  });
}

/** The same, and what the agent says, once both stand still. */
export async function passedAndMetered(
  scene: Scene,
  guest: Guest,
): Promise<{ readonly passed: bigint; readonly metered: bigint; readonly down: bigint; readonly up: bigint }> {
  return await settled('wire and meter', QUIET_MS, MOST_MS, async () => {
    const wire = await guest.wire();
    const beyond = await readBeyond(scene.world.internet, guest.host.index);
    const session = await scene.agent.meteredOf(guest.mac);
    const down = wire.down4 + wire.down6;
    const up = beyond.up4 + beyond.up6;
    return { passed: down + up, metered: session.downBytes + session.upBytes, down, up };
  });
}
