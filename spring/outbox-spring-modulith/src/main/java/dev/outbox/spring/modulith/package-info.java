/** The outbox as what Spring Modulith externalizes events with; nothing here is for applications. */
package dev.outbox.spring.modulith;
