/** What the starter for Spring Boot 4 has of its own; nothing here is for applications. */
package dev.outbox.spring.boot4;
