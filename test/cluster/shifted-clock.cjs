/** Loaded before a node (`--require`): its wall clock is off by `BELFRY_TEST_CLOCK_SHIFT_MS`, as on a machine without time service. */
const shiftMs = Number(process.env.BELFRY_TEST_CLOCK_SHIFT_MS)
const RealDate = Date
const realNow = Date.now

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(realNow() + shiftMs)
    else super(...given)
  }

  static now() {
    return realNow() + shiftMs
  }
}
