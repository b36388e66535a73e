@NullMarked
package dev.outbox.histories.brokers;

import org.jspecify.annotations.NullMarked;
