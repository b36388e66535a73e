/** The outbox in applications of Spring Boot. */
package dev.outbox.spring.boot;
