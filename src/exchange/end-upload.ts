import http, {type ClientRequest, type IncomingMessage} from 'node:http';
import {mayBeUnread, unsentGraceMs} from '../connection/keep-alive.ts';

/**
 * Ends the connection of a request whose response is complete before it is. Node does not use such a
 * connection again, but would keep it, with the body in it, until the server reads on.
 */
export function endUpload(request: ClientRequest): void {
	// One of HTTP/2 ends its stream itself, and of a stand-in for the network nothing is known.
	if (!(request instanceof http.ClientRequest)) return;
	let writtenBefore = 0;
	request.once('socket', ({bytesWritten}) => {
		writtenBefore = bytesWritten;
	});
	request.once('response', (response: IncomingMessage) => {
		const {socket, statusCode = 0} = response;
		const finish = () => {
			clearTimeout(timer);
			// Of one that is sent in chunks the length is nowhere to be read; its head is small.
			const length = request.getHeader('Content-Length') ?? socket.bytesWritten - writtenBefore;
			if (mayBeUnread(statusCode, Number(length))) socket.destroy();
		};
		let timer: NodeJS.Timeout | undefined;
		response.once('end', () => {
			if (request.writableFinished) return finish();
			request.once('finish', finish);
			timer = setTimeout(() => request.destroy(), unsentGraceMs).unref();
		});
	});
}
