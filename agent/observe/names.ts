/** What the name of each of the agent's own metrics begins with. */
export const PREFIX = 'policy_log_agent_';
