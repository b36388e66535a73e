/** The auto-configuration of the outbox; nothing here is for applications. */
package dev.outbox.spring.boot.internal;
