import {Readable, Stream} from 'node:stream';

const text = 'Grüße, {} & ünïcode \u{1F600}';

/** Bodies that an app gives axios, made anew for each request. */
export const bodies: Readonly<Record<string, () => unknown>> = {
	'no body': () => undefined,
	'an empty string': () => '',
	'a string': () => text,
	'a buffer': () => Buffer.from([0, 1, 2, 254, 255]),
	'an empty buffer': () => Buffer.alloc(0),
	'an ArrayBuffer': () => Uint8Array.from([9, 8, 7]).buffer,
	'a typed array': () => Uint8Array.from([1, 2, 3, 4]).subarray(1, 3),
	'an object': () => ({name: 'Zoë', list: [1, null], nested: {deep: true}}),
	'a number': () => 42,
	false: () => false,
	URLSearchParams: () =>
		new URLSearchParams([
			['q', 'a b&c=d'],
			['q', 'é'],
		]),
	FormData: () => {
		const form = new FormData();
		form.append('name', 'Zoë');
		form.append('file', new Blob(['content'], {type: 'text/x-test'}), 'a "b".txt');
		return form;
	},
	'a Blob': () => new Blob(['blob ', 'parts'], {type: 'image/x-test'}),
	'a Readable': () => Readable.from([Buffer.from('first, '), Buffer.from('second')]),
	'an empty Readable': () => Readable.from([]),
	'a stream of the old kind': () => oldForm(),
	'a form without a length': () => likeForm({}),
	'a form whose length fails': () =>
		likeForm({getLength: (done: (error: Error) => void) => done(new Error('no length'))}),
	'a stream with headers that is no form': () => likeForm({append: undefined}),
	'a stream with headers and a length that is no form': () =>
		likeForm({
			toString: () => 'a stream',
			getLength: (done: (error: null, length: number) => void) => done(null, 5),
		}),
};

/** A stream that axios takes for a form by what it has, but for what `more` says. */
function likeForm(more: object): Readable {
	return Object.assign(Readable.from([Buffer.from('parts')]), {
		append() {},
		toString: () => '[object FormData]',
		getHeaders: () => ({'content-type': 'multipart/form-data; boundary=like', 'x-form': '1'}),
		...more,
	});
}

/** Walks and talks like npm's `form-data`: no Readable, with headers and length of its own. */
function oldForm(): Stream {
	const parts = [
		'--old\r\n',
		'content-disposition: form-data; name="a"\r\n\r\n',
		'1\r\n',
		'--old--\r\n',
	];
	const stream = new Stream() as Stream & {readable: boolean};
	stream.readable = true;
	let begun = false;
	const flow = () => {
		if (begun) return;
		begun = true;
		setImmediate(() => {
			for (const part of parts) stream.emit('data', Buffer.from(part));
			stream.emit('end');
			stream.emit('close');
		});
	};
	return Object.assign(stream, {
		pipe(this: Stream, target: NodeJS.WritableStream) {
			const piped = Stream.prototype.pipe.call(this, target);
			flow();
			return piped;
		},
		append() {},
		toString: () => '[object FormData]',
		[Symbol.toStringTag]: 'FormData',
		getHeaders: () => ({'content-type': 'multipart/form-data; boundary=old'}),
		getLength: (done: (error: null, length: number) => void) => done(null, parts.join('').length),
	});
}
