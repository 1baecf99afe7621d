/** A line of GKE's policy logging about an allowed connection that no other line is about; its pod carries the number. */
export function allowedLine(number: number): string {
  return `${JSON.stringify({
    connection: {
      src_ip: '10.84.0.252',
      dest_ip: '10.84.0.165',
      src_port: 1024 + (number % 60_000),
      dest_port: 8080,
      protocol: 'tcp',
      direction: 'ingress',
    },
    disposition: 'allow',
    src: { pod_name: `client-${number}`, namespace: 'default' },
    dest: { pod_name: 'server', namespace: 'default' },
    count: 1,
    node_name: 'node-1',
    timestamp: new Date().toISOString(),
  })}\n`;
}
