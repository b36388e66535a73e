package dev.outbox.examples.quickstart;

import java.time.Instant;

/** An order: a row of the shop's table, and the message that tells others of it. */
record Order(Instant placedAt, String number, String customer, String sku, int quantity, long cents, String currency) {}
