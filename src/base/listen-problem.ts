/** What the operator reads when a port cannot be taken, whoever tries. */
export function listenProblem(host: string, port: number): string {
  return `Cannot listen on ${host}:${port}: the port is in use or not allowed; choose another with --port or stop its owner`
}
