/** What the starter for Spring Boot 3.5 has of its own; nothing here is for applications. */
package dev.outbox.spring.boot3;
