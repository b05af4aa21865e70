// In a process of its own: it counts the listeners of the process.
import {expect, test} from 'vitest';
import {fileJar} from '../../../src/index.ts';
import {tempFile} from '../../support/temp-file.ts';

const url = 'https://a.test/';
const listeners = () => process.listenerCount('exit');

// In a file of its own: jars of other tests would listen too.
test('jars share one listener for the exit of the process, only while one has something to save', async () => {
	const before = listeners();
	const jars = ['one', 'two'].map((name) => fileJar(tempFile(name), {debounceMs: 1_000_000}));
	expect(listeners()).toBe(before);
	for (const jar of jars) await jar.setCookie('a=1', url);
	expect(listeners()).toBe(before + 1);

	const [one, two] = jars;
	await one?.save();
	expect(listeners()).toBe(before + 1);
	await two?.save();
	expect(listeners()).toBe(before);
	await one?.setCookie('a=2', url);
	expect(listeners()).toBe(before + 1);
	await one?.save();
	expect(listeners()).toBe(before);
});
