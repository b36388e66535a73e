package dev.outbox.examples.quickstart;

/** A row of the shop's table: an order whose transaction committed, with the id its message was persisted under. */
record Committed(String orderNumber, String customer, String messageId) {}
