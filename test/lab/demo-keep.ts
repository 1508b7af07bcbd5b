/** What KEEP=1 prints: how to look around in the world that the demo left up. */
import { fileURLToPath } from 'node:url';
import { PORTAL_NAME, ROUTER_GUEST_IP4 } from './addresses.ts';
import { wayInside } from './elevate.ts';
import type { Scene } from './scene.ts';

export function howToLookAround(scene: Scene): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // In a user namespace the names of the hosts are known inside only; whoever goes in is in no folder of the project.
  const inside = wayInside();
  const [phone] = scene.guests;
  const guest = `${inside}ip netns exec ${phone?.host.host.netns}`;
  const run = `sh ${root}tools/with-node node ${root}agent/cli/shareagent.ts`;
  const router = `${inside}ip netns exec ${scene.world.router.netns}`;
  return `
The world stays up until Ctrl-C. In another terminal:

  the portal       ${guest} curl -s --resolve ${PORTAL_NAME}:80:${ROUTER_GUEST_IP4} http://${PORTAL_NAME}/
  in a browser     ${guest} chromium --no-sandbox --user-data-dir=/tmp/lab-browser --host-resolver-rules="MAP ${PORTAL_NAME} ${ROUTER_GUEST_IP4}" http://${PORTAL_NAME}/
  test SSP         "Pay from another wallet" on the page, then "Get test SSP": 10 SSP from the router, for a ticket of your own
  a pass code      ${phone?.passCode.code}   (what the phone has left)
  the dashboard    ${inside}${run} top --config ${scene.agent.configPath}
  its doctor       ${router} ${run} doctor --config ${scene.agent.configPath}
  the ruleset      ${router} nft list table inet shareagent
  the logs         ${scene.lab.directory}

`;
}
