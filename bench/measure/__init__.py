"""How things are measured: commands, requests in turns, CPU and memory of processes, servers and a client."""
