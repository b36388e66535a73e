/** The outbox in the transactions of Spring. */
package dev.outbox.spring;
