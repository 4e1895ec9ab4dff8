/** Generated cases per decoder. `BELFRY_TEST_FUZZ_RUNS` sets another number, for a long night or a quick look. */
export const runs = Number(process.env['BELFRY_TEST_FUZZ_RUNS'] ?? 100_000)
if (!Number.isInteger(runs) || runs < 1) throw new Error('BELFRY_TEST_FUZZ_RUNS must be a positive whole number')
