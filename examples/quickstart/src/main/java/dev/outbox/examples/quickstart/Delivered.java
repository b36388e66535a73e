package dev.outbox.examples.quickstart;

/** One delivery, as the stand-in for a broker noted it: a message may be delivered more than once. */
record Delivered(String messageId, String key, String orderNumber) {}
