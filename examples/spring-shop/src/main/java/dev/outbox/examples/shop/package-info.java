/** Runs the shop on PostgreSQL and Kafka, kills it on the way, and counts what arrived. */
@NullMarked
package dev.outbox.examples.shop;

import org.jspecify.annotations.NullMarked;
