import {createReadStream, type ReadStream} from 'node:fs';
import {Duplex, PassThrough, Readable, Transform} from 'node:stream';

/* Streams that an app gives as the body of a request, made anew for each one. */

const bytes = [Buffer.from([1, 2, 3]), Buffer.from([253, 254, 255])];

function file(options?: object): ReadStream {
	return createReadStream(import.meta.filename, options);
}

function ended(stream: PassThrough, ...chunks: readonly string[]): PassThrough {
	for (const chunk of chunks) stream.write(chunk);
	stream.end();
	return stream;
}

/** Gives its chunks in turns of the event loop of their own. */
function slow(chunks: readonly string[]): Readable {
	const rest = [...chunks];
	return new Readable({
		read() {
			setImmediate(() => this.push(rest.shift() ?? null));
		},
	});
}

/** Streams that end well. */
export const wholeStreams: Readonly<Record<string, () => Readable>> = {
	'a file': file,
	'a part of a file': () => file({start: 10, end: 29}),
	'a file read in text': () => file({encoding: 'utf8', end: 99}),
	'a file read in hex': () => file({encoding: 'hex', end: 9}),
	'a file in small pieces': () => file({highWaterMark: 7, end: 99}),
	strings: () => Readable.from(['one, ', 'twö, ', '\u{1F600}']),
	'one string': () => Readable.from('one string'),
	buffers: () => Readable.from(bytes),
	'one buffer': () => Readable.from(Buffer.from('buffer')),
	Uint8Arrays: () => Readable.from(bytes.map((part) => new Uint8Array(part))),
	'Uint8Arrays that share memory': () => {
		const shared = Uint8Array.from([1, 2, 3, 4]);
		return Readable.from([shared.subarray(1, 2), shared.subarray(2)]);
	},
	'bytes without objectMode': () => Readable.from(bytes, {objectMode: false}),
	'strings and buffers': () => Readable.from(['one', Buffer.from('two'), 'three']),
	'an empty chunk between others': () => Readable.from(['one', '', Buffer.alloc(0), 'two']),
	'no chunk': () => Readable.from([]),
	'an async generator': () =>
		Readable.from(
			(async function* () {
				yield 'one';
				yield Buffer.from('two');
			})(),
		),
	'a PassThrough that has ended': () => ended(new PassThrough(), 'one', 'two'),
	'an empty PassThrough that has ended': () => ended(new PassThrough()),
	'a PassThrough that is written later': () => {
		const stream = new PassThrough();
		setImmediate(() => setImmediate(() => ended(stream, 'late')));
		return stream;
	},
	'a Transform': () =>
		Readable.from(['one', 'two']).pipe(
			new Transform({
				transform(chunk, _, done) {
					done(null, String(chunk).toUpperCase());
				},
			}),
		),
	'a Duplex': () => {
		const parts = ['du', 'plex', null];
		return new Duplex({
			read() {
				this.push(parts.shift());
			},
			write(_, __, done) {
				done();
			},
		});
	},
	'slow chunks': () => slow(['one', 'two', 'three']),
	'many chunks': () => Readable.from(Array.from({length: 500}, (_, i) => `${i};`)),
	'3 MB': () => Readable.from(Array.from({length: 48}, (_, i) => Buffer.alloc(65_536, i))),
	'a small highWaterMark': () => {
		const stream = new PassThrough({highWaterMark: 1});
		stream.end('more than one byte');
		return stream;
	},
	'a paused stream': () => ended(new PassThrough(), 'paused').pause(),
	'a web stream that Node reads': () =>
		Readable.fromWeb(new Blob(['web']).stream() as Parameters<typeof Readable.fromWeb>[0]),
	'a stream that has begun': () => {
		const stream = ended(new PassThrough(), 'one', 'two');
		stream.read(2);
		return stream;
	},
	'a stream with a chunk put back': () => {
		const stream = ended(new PassThrough(), 'two');
		stream.unshift('one ');
		return stream;
	},
	'a stream that stays open after its end': () => {
		const stream = new Readable({read() {}, autoDestroy: false});
		stream.push('open');
		stream.push(null);
		return stream;
	},
	'a stream without a close event': () => {
		const stream = new Readable({read() {}, emitClose: false});
		stream.push('silent');
		stream.push(null);
		return stream;
	},
};

const gone = () => Object.assign(new Error('disk is gone'), {code: 'EIO'});

/** Emits a chunk, and then does something else. */
function broken(act: (stream: Readable) => void, options = {}): Readable {
	let begun = false;
	return new Readable({
		read() {
			if (begun) return;
			begun = true;
			this.push('begun');
			setImmediate(() => act(this));
		},
		...options,
	});
}

/** Streams that do not end well, with the code that axios fails with. */
export const brokenStreams: Readonly<
	Record<string, readonly [() => Readable, string | undefined]>
> = {
	'is destroyed in the same turn': [() => Readable.from(['a']).destroy(), 'ERR_CANCELED'],
	'fails in the same turn': [() => Readable.from(['a']).destroy(gone()), 'EIO'],
	'fails before a byte': [
		() =>
			new Readable({
				read() {
					this.destroy(gone());
				},
			}),
		'EIO',
	],
	'fails in a later turn': [
		() =>
			new Readable({
				read() {
					setImmediate(() => this.destroy(gone()));
				},
			}),
		'EIO',
	],
	'fails without a code': [
		() => broken((stream) => stream.destroy(new TypeError('plain'))),
		undefined,
	],
	'fails after a chunk': [() => broken((stream) => stream.destroy(gone())), 'EIO'],
	'emits an error and stays': [
		() => broken((stream) => stream.emit('error', gone()), {autoDestroy: false}),
		'EIO',
	],
	'is destroyed halfway': [() => broken((stream) => stream.destroy()), 'ERR_CANCELED'],
	'throws in a generator': [
		() =>
			Readable.from(
				(async function* () {
					yield 'one';
					throw gone();
				})(),
			),
		'EIO',
	],
	'is a file that is not there': [
		() => createReadStream(`${import.meta.filename}.missing`),
		'ENOENT',
	],
	'is a folder': [() => createReadStream(import.meta.dirname), 'EISDIR'],
};
