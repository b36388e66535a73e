/** Tests of the outbox in the transactions of Spring. */
@org.jspecify.annotations.NullMarked
package dev.outbox.spring;
