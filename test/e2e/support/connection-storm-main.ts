/**
 * Opens connections as fast as the machine can; tells what became of them.
 * `node connection-storm-main.ts ADDRESS PORT WANTED MS [SOURCE_ADDRESS...]`: from each of these addresses in turn, and each connection is
 * ended soon, open or not, to make room for another.
 */
import { connect } from 'node:net';

const [address = '', port = '0', wanted = '0', ms = '0', ...sources] = process.argv.slice(2);
const AT_ONCE = sources.length === 0 ? 800 : 10 * sources.length;
/** Before the kernel sends a first packet again. */
const PATIENCE_MS = 150;
const endMs = performance.now() + Number(ms);
let begun = 0;
let underWay = 0;
let mostOpen = 0;
let open = 0;

await new Promise<void>((resolve) => {
  const more = (): void => {
    const isOver = begun >= Number(wanted) || performance.now() > endMs;
    if (isOver) resolve();
    while (!isOver && underWay < AT_ONCE && begun < Number(wanted)) storm(more);
  };
  more();
  setTimeout(resolve, Number(ms));
});
console.log(JSON.stringify({ begun, mostOpen }));
process.exit(0);

function storm(more: () => void): void {
  const localAddress = sources[begun % sources.length];
  begun += 1;
  underWay += 1;
  let isOpen = false;
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = connect({ host: address, port: Number(port), ...from }, () => {
    isOpen = true;
    open += 1;
    mostOpen = Math.max(mostOpen, open);
  });
  if (localAddress !== undefined) setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.on('error', () => {});
  socket.once('close', () => {
    if (isOpen) open -= 1;
    underWay -= 1;
    setImmediate(more);
  });
}
