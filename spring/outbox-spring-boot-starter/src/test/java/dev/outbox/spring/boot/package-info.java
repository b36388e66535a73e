/** Applications of Spring Boot with an outbox. The starters of all generations of Spring Boot run these tests. */
@org.jspecify.annotations.NullMarked
package dev.outbox.spring.boot;
