import {answerParent} from '../child.js';

// A job is loaded when it is asked for: whoever measures one peer has not loaded the others.
answerParent(async ({job, ...question}) => {
	const {run} = await import(`./${job}.js`);
	return run(question);
});
