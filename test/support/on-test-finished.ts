/*
 * vitest knows only one running test. Where tests run at the same time, what a helper starts must end with
 * the test that called it, rather than with the one that began last.
 */
import {AsyncLocalStorage} from 'node:async_hooks';
import {aroundEach, onTestFinished as onRunningTestFinished, type TestContext} from 'vitest';

const calling = new AsyncLocalStorage<TestContext>();

/** For files whose tests run at the same time: called once, at the top. */
export function separateConcurrentTests(): void {
	aroundEach((run, context) => calling.run(context, run));
}

/** As vitest's own, also in a file of concurrent tests. */
export const onTestFinished: typeof onRunningTestFinished = (end, timeout) => {
	const context = calling.getStore();
	if (context) context.onTestFinished(end, timeout);
	else onRunningTestFinished(end, timeout);
};
