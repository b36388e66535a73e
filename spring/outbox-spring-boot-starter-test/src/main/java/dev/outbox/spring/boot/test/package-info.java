/** What tests of an application need of its outbox: see {@link dev.outbox.spring.boot.test.AutoConfigureOutbox}. */
package dev.outbox.spring.boot.test;
