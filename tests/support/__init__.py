"""What tests of several layers share: a monolith without a server, and a bridge over it in memory."""
