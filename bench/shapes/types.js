/**
 * One kind of request, and who is measured with it.
 *
 * @typedef {object} Shape
 * @property {string} title
 * @property {string} server what server/main.js starts for it
 * @property {string[]} peers names of files in peers/, `ours` among them
 * @property {string} against the peer that the published ratio is to
 * @property {(client: import('../peers/index.js').Client, origin: string) => Promise<any>} call
 * @property {(answer: any) => boolean} isRight whether `call` brought what the server has sent
 * @property {(sent: {head: string, body: string}) => boolean} isSent whether the server got what `call` is to send
 * @property {object} [target] what the peers are opened with beside the origin and the credentials
 * @property {boolean} [proxied] the peers are given a proxy
 * @property {string} [beside] a shape of the same rounds, which this one is to be as fast as
 */
export {};
