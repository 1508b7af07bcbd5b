/** What KEEP=1 prints: how to look around in the world that the demo left up. */
import { fileURLToPath } from 'node:url';
import { PORTAL_NAME, ROUTER_GUEST_IP4 } from './addresses.ts';
import { isInUserNamespace } from './elevate.ts';
import type { Scene } from './scene.ts';

export function howToLookAround(scene: Scene): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // In a user namespace the names of the hosts are known inside only.
  const inside = isInUserNamespace() ? `nsenter -t ${process.pid} --preserve-credentials -U -m -n -p ` : '';
  const [phone] = scene.guests;
  const guest = `${inside}ip netns exec ${phone?.host.host.netns}`;
  const agent = `cd ${root} && ${inside}sh tools/with-node node agent/cli/shareagent.ts`;
  return `
The world stays up until Ctrl-C. In another terminal:

  the portal       ${guest} curl -s --resolve ${PORTAL_NAME}:80:${ROUTER_GUEST_IP4} http://${PORTAL_NAME}/
  in a browser     ${guest} chromium --no-sandbox --user-data-dir=/tmp/lab-browser --host-resolver-rules="MAP ${PORTAL_NAME} ${ROUTER_GUEST_IP4}" http://${PORTAL_NAME}/
  test SSP         "Pay from another wallet" on the page, then "Get test SSP": 10 SSP from the router, for a ticket of your own
  a pass code      ${phone?.passCode.code}   (what the phone has left)
  the dashboard    ${agent} top --config ${scene.agent.configPath}
  the ruleset      ${inside}ip netns exec ${scene.world.router.netns} nft list table inet shareagent
  the logs         ${scene.lab.directory}

`;
}
