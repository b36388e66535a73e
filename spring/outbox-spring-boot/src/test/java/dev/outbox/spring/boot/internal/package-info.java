/** Tests of the auto-configuration that need no application. */
@org.jspecify.annotations.NullMarked
package dev.outbox.spring.boot.internal;
