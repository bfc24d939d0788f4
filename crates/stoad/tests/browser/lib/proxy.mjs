// A way to the page that can be cut, as proxies and networks cut them.

import net from "node:net";

/** Listens on a port of its own. Resolves to `{ url, cut, close }`. */
export async function proxyTo(pageUrl) {
  const target = new URL(pageUrl);
  const open = new Set();
  const server = net.createServer((incoming) => {
    const outgoing = net.connect(Number(target.port), target.hostname);
    for (const [socket, other] of [[incoming, outgoing], [outgoing, incoming]]) {
      open.add(socket);
      socket.on("error", () => other.destroy()).on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise((resolve) => { server.listen(0, "localhost", resolve); });
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://localhost:${server.address().port}/`,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
