/** Real servers for the tests: one class per server, shared by everything that runs in a JVM. */
@NullMarked
package dev.outbox.servers;

import org.jspecify.annotations.NullMarked;
