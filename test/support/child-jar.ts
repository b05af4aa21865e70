/*
 * Run as a process of its own: opens argv's cookie file and works on it, as the second word of argv
 * says.
 */
import {fileJar} from '../../src/cookies/file/file-jar.ts';

const [path = '', work = '', argument = ''] = process.argv.slice(2);
const url = 'https://a.test/';
const jar = fileJar(path, {logger: false, debounceMs: 1_000_000});

/** All cookies of one number, for ever: whoever reads the file finds no two numbers in it. */
async function saveForever(): Promise<void> {
	const last = /c0=(\d+)/.exec(jar.getCookieStringSync(url))?.[1] ?? '0';
	for (let number = Number(last) + 1; ; number += 1) {
		for (let index = 0; index < 50; index += 1) await jar.setCookie(`c${index}=${number}`, url);
		await jar.save();
		process.stdout.write(`${number}\n`);
	}
}

async function saveMany(): Promise<void> {
	for (let index = 0; index < 1_000; index += 1) {
		await jar.setCookie(`${argument}${index}=1`, url);
		if (index % 20 === 19) await jar.save();
	}
}

const works: Record<string, () => Promise<void>> = {
	'save for ever': saveForever,
	'save many': saveMany,
	end: async () => {
		await jar.setCookie('a=1', url);
	},
	exit: async () => {
		await jar.setCookie('a=1', url);
		process.exit();
	},
	'exit while saving': async () => {
		await jar.setCookie('a=1', url);
		setImmediate(() => process.exit());
		await jar.save();
	},
	'exit while two save': async () => {
		const other = fileJar(path, {logger: false, debounceMs: 1_000_000});
		await jar.setCookie('a=1', url);
		await other.setCookie('b=1', url);
		setImmediate(() => process.exit());
		await Promise.all([jar.save(), other.save()]);
	},
	throw: async () => {
		await jar.setCookie('a=1', url);
		throw new Error('on purpose');
	},
};

await works[work]?.();
