importScripts('lib/first.js');
