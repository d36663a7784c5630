/**
 * Generated cases are the same in every run of continuous integration: it answers for a commit, and
 * must not fail for what another commit did. At a desk each run makes new ones, and the report of a
 * failure names its seed: `KICK_TEST_SEED=N npm test` makes that run's again.
 */
import fc from 'fast-check';

const given = process.env['KICK_TEST_SEED'];
const seed = given === undefined ? undefined : Number(given);
if (seed !== undefined && !Number.isInteger(seed)) throw new Error('KICK_TEST_SEED is not a whole number');

if (seed !== undefined) fc.configureGlobal({ seed });
else if (process.env['CI'] === 'true') fc.configureGlobal({ seed: 20_260_101 });
